module @packed_experts_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x66xf32>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x2xi32>, %arg3: tensor<3x66xf32>, %arg4: tensor<4x1x66x64xf32>, %arg5: tensor<4x1x66x64xf32>, %arg6: tensor<4x2x20x64xf32>) -> (tensor<3x66xf32>) {
    %0 = stablehlo.transpose %arg4, dims = [0, 1, 3, 2] : (tensor<4x1x66x64xf32>) -> tensor<4x1x64x66xf32>
    %1 = stablehlo.reshape %0 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %2 = stablehlo.slice %1 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %3 = stablehlo.transpose %arg5, dims = [0, 1, 3, 2] : (tensor<4x1x66x64xf32>) -> tensor<4x1x64x66xf32>
    %4 = stablehlo.reshape %3 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %5 = stablehlo.slice %4 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %6 = stablehlo.transpose %arg6, dims = [0, 1, 3, 2] : (tensor<4x2x20x64xf32>) -> tensor<4x2x64x20xf32>
    %7 = stablehlo.reshape %6 : (tensor<4x2x64x20xf32>) -> tensor<4x128x20xf32>
    %8 = stablehlo.slice %7 [0:4, 0:66, 0:20] : (tensor<4x128x20xf32>) -> tensor<4x66x20xf32>
    %9 = stablehlo.broadcast_in_dim %arg0, dims = [0, 2] : (tensor<3x66xf32>) -> tensor<3x2x66xf32>
    %10 = stablehlo.reshape %9 : (tensor<3x2x66xf32>) -> tensor<6x66xf32>
    %11 = stablehlo.constant dense<0> : tensor<i32>
    %12 = stablehlo.broadcast_in_dim %11, dims = [] : (tensor<i32>) -> tensor<3x2xi32>
    %13 = stablehlo.maximum %arg2, %12 : tensor<3x2xi32>
    %14 = stablehlo.reshape %13 : (tensor<3x2xi32>) -> tensor<6xi32>
    %15 = stablehlo.compare GE, %arg2, %12, SIGNED : (tensor<3x2xi32>, tensor<3x2xi32>) -> tensor<3x2xi1>
    %16 = stablehlo.constant dense<0.0> : tensor<f32>
    %17 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f32>) -> tensor<3x2xf32>
    %18 = stablehlo.select %15, %arg1, %17 : tensor<3x2xi1>, tensor<3x2xf32>
    %19 = stablehlo.constant dense<0> : tensor<i32>
    %20 = stablehlo.constant dense<1> : tensor<i32>
    %21 = stablehlo.constant dense<6> : tensor<i32>
    %22 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %23:2 = stablehlo.while(%24 = %19, %25 = %22) : tensor<i32>, tensor<6x20xf32>
    cond {
      %26 = stablehlo.compare LT, %24, %21, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %26 : tensor<i1>
    } do {
    %27 = stablehlo.constant dense<1> : tensor<i32>
    %28 = stablehlo.multiply %24, %27 : tensor<i32>
    %29 = stablehlo.constant dense<0> : tensor<i32>
    %30 = stablehlo.dynamic_slice %10, %28, %29, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %31 = stablehlo.dynamic_slice %14, %24, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %32 = stablehlo.reshape %31 : (tensor<1xi32>) -> tensor<i32>
    %33 = stablehlo.constant dense<3> : tensor<i32>
    %34 = stablehlo.minimum %32, %33 : tensor<i32>
    %35 = stablehlo.constant dense<0> : tensor<i32>
    %36 = stablehlo.dynamic_slice %2, %34, %35, %35, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %37 = stablehlo.reshape %36 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %38 = stablehlo.dot_general %30, %37, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %39 = stablehlo.constant dense<0> : tensor<i32>
    %40 = stablehlo.dynamic_update_slice %25, %38, %28, %39 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %41 = stablehlo.add %24, %20 : tensor<i32>
    stablehlo.return %41, %40 : tensor<i32>, tensor<6x20xf32>
    }
    %42 = stablehlo.constant dense<0> : tensor<i32>
    %43 = stablehlo.constant dense<1> : tensor<i32>
    %44 = stablehlo.constant dense<6> : tensor<i32>
    %45 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %46:2 = stablehlo.while(%47 = %42, %48 = %45) : tensor<i32>, tensor<6x20xf32>
    cond {
      %49 = stablehlo.compare LT, %47, %44, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %49 : tensor<i1>
    } do {
    %50 = stablehlo.constant dense<1> : tensor<i32>
    %51 = stablehlo.multiply %47, %50 : tensor<i32>
    %52 = stablehlo.constant dense<0> : tensor<i32>
    %53 = stablehlo.dynamic_slice %10, %51, %52, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %54 = stablehlo.dynamic_slice %14, %47, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %55 = stablehlo.reshape %54 : (tensor<1xi32>) -> tensor<i32>
    %56 = stablehlo.constant dense<3> : tensor<i32>
    %57 = stablehlo.minimum %55, %56 : tensor<i32>
    %58 = stablehlo.constant dense<0> : tensor<i32>
    %59 = stablehlo.dynamic_slice %5, %57, %58, %58, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %60 = stablehlo.reshape %59 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %61 = stablehlo.dot_general %53, %60, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %62 = stablehlo.constant dense<0> : tensor<i32>
    %63 = stablehlo.dynamic_update_slice %48, %61, %51, %62 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %64 = stablehlo.add %47, %43 : tensor<i32>
    stablehlo.return %64, %63 : tensor<i32>, tensor<6x20xf32>
    }
    %65 = stablehlo.reshape %18 : (tensor<3x2xf32>) -> tensor<6xf32>
    %66 = stablehlo.logistic %23#1 : tensor<6x20xf32>
    %67 = stablehlo.multiply %23#1, %66 : tensor<6x20xf32>
    %68 = stablehlo.multiply %67, %46#1 : tensor<6x20xf32>
    %69 = stablehlo.broadcast_in_dim %65, dims = [0] : (tensor<6xf32>) -> tensor<6x20xf32>
    %70 = stablehlo.multiply %68, %69 : tensor<6x20xf32>
    %71 = stablehlo.constant dense<0> : tensor<i32>
    %72 = stablehlo.constant dense<1> : tensor<i32>
    %73 = stablehlo.constant dense<6> : tensor<i32>
    %74 = stablehlo.constant dense<0.0> : tensor<6x66xf32>
    %75:2 = stablehlo.while(%76 = %71, %77 = %74) : tensor<i32>, tensor<6x66xf32>
    cond {
      %78 = stablehlo.compare LT, %76, %73, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %78 : tensor<i1>
    } do {
    %79 = stablehlo.constant dense<1> : tensor<i32>
    %80 = stablehlo.multiply %76, %79 : tensor<i32>
    %81 = stablehlo.constant dense<0> : tensor<i32>
    %82 = stablehlo.dynamic_slice %70, %80, %81, sizes = [1, 20] : (tensor<6x20xf32>, tensor<i32>, tensor<i32>) -> tensor<1x20xf32>
    %83 = stablehlo.dynamic_slice %14, %76, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %84 = stablehlo.reshape %83 : (tensor<1xi32>) -> tensor<i32>
    %85 = stablehlo.constant dense<3> : tensor<i32>
    %86 = stablehlo.minimum %84, %85 : tensor<i32>
    %87 = stablehlo.constant dense<0> : tensor<i32>
    %88 = stablehlo.dynamic_slice %8, %86, %87, %87, sizes = [1, 66, 20] : (tensor<4x66x20xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x66x20xf32>
    %89 = stablehlo.reshape %88 : (tensor<1x66x20xf32>) -> tensor<66x20xf32>
    %90 = stablehlo.dot_general %82, %89, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x20xf32>, tensor<66x20xf32>) -> tensor<1x66xf32>
    %91 = stablehlo.constant dense<0> : tensor<i32>
    %92 = stablehlo.dynamic_update_slice %77, %90, %80, %91 : (tensor<6x66xf32>, tensor<1x66xf32>, tensor<i32>, tensor<i32>) -> tensor<6x66xf32>
    %93 = stablehlo.add %76, %72 : tensor<i32>
    stablehlo.return %93, %92 : tensor<i32>, tensor<6x66xf32>
    }
    %94 = stablehlo.reshape %75#1 : (tensor<6x66xf32>) -> tensor<3x2x66xf32>
    %95 = stablehlo.constant dense<0.0> : tensor<f32>
    %96 = stablehlo.reduce(%94 init: %95) applies stablehlo.add across dimensions = [1] : (tensor<3x2x66xf32>, tensor<f32>) -> tensor<3x66xf32>
    %97 = stablehlo.add %arg3, %96 : tensor<3x66xf32>
    return %97 : tensor<3x66xf32>
  }
}

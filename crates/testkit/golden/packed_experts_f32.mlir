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
    %15 = stablehlo.constant dense<0> : tensor<i32>
    %16 = stablehlo.constant dense<1> : tensor<i32>
    %17 = stablehlo.constant dense<6> : tensor<i32>
    %18 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %19:2 = stablehlo.while(%20 = %15, %21 = %18) : tensor<i32>, tensor<6x20xf32>
    cond {
      %22 = stablehlo.compare LT, %20, %17, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %22 : tensor<i1>
    } do {
    %23 = stablehlo.constant dense<1> : tensor<i32>
    %24 = stablehlo.multiply %20, %23 : tensor<i32>
    %25 = stablehlo.constant dense<0> : tensor<i32>
    %26 = stablehlo.dynamic_slice %10, %24, %25, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %27 = stablehlo.dynamic_slice %14, %20, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %28 = stablehlo.reshape %27 : (tensor<1xi32>) -> tensor<i32>
    %29 = stablehlo.constant dense<3> : tensor<i32>
    %30 = stablehlo.minimum %28, %29 : tensor<i32>
    %31 = stablehlo.constant dense<0> : tensor<i32>
    %32 = stablehlo.dynamic_slice %2, %30, %31, %31, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %33 = stablehlo.reshape %32 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %34 = stablehlo.dot_general %26, %33, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %35 = stablehlo.constant dense<0> : tensor<i32>
    %36 = stablehlo.dynamic_update_slice %21, %34, %24, %35 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %37 = stablehlo.add %20, %16 : tensor<i32>
    stablehlo.return %37, %36 : tensor<i32>, tensor<6x20xf32>
    }
    %38 = stablehlo.logistic %19#1 : tensor<6x20xf32>
    %39 = stablehlo.multiply %19#1, %38 : tensor<6x20xf32>
    %40 = stablehlo.constant dense<0> : tensor<i32>
    %41 = stablehlo.constant dense<1> : tensor<i32>
    %42 = stablehlo.constant dense<6> : tensor<i32>
    %43 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %44:2 = stablehlo.while(%45 = %40, %46 = %43) : tensor<i32>, tensor<6x20xf32>
    cond {
      %47 = stablehlo.compare LT, %45, %42, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %47 : tensor<i1>
    } do {
    %48 = stablehlo.constant dense<1> : tensor<i32>
    %49 = stablehlo.multiply %45, %48 : tensor<i32>
    %50 = stablehlo.constant dense<0> : tensor<i32>
    %51 = stablehlo.dynamic_slice %10, %49, %50, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %52 = stablehlo.dynamic_slice %14, %45, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %53 = stablehlo.reshape %52 : (tensor<1xi32>) -> tensor<i32>
    %54 = stablehlo.constant dense<3> : tensor<i32>
    %55 = stablehlo.minimum %53, %54 : tensor<i32>
    %56 = stablehlo.constant dense<0> : tensor<i32>
    %57 = stablehlo.dynamic_slice %5, %55, %56, %56, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %58 = stablehlo.reshape %57 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %59 = stablehlo.dot_general %51, %58, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %60 = stablehlo.constant dense<0> : tensor<i32>
    %61 = stablehlo.dynamic_update_slice %46, %59, %49, %60 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %62 = stablehlo.add %45, %41 : tensor<i32>
    stablehlo.return %62, %61 : tensor<i32>, tensor<6x20xf32>
    }
    %63 = stablehlo.multiply %39, %44#1 : tensor<6x20xf32>
    %64 = stablehlo.constant dense<0> : tensor<i32>
    %65 = stablehlo.constant dense<1> : tensor<i32>
    %66 = stablehlo.constant dense<6> : tensor<i32>
    %67 = stablehlo.constant dense<0.0> : tensor<6x66xf32>
    %68:2 = stablehlo.while(%69 = %64, %70 = %67) : tensor<i32>, tensor<6x66xf32>
    cond {
      %71 = stablehlo.compare LT, %69, %66, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %71 : tensor<i1>
    } do {
    %72 = stablehlo.constant dense<1> : tensor<i32>
    %73 = stablehlo.multiply %69, %72 : tensor<i32>
    %74 = stablehlo.constant dense<0> : tensor<i32>
    %75 = stablehlo.dynamic_slice %63, %73, %74, sizes = [1, 20] : (tensor<6x20xf32>, tensor<i32>, tensor<i32>) -> tensor<1x20xf32>
    %76 = stablehlo.dynamic_slice %14, %69, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %77 = stablehlo.reshape %76 : (tensor<1xi32>) -> tensor<i32>
    %78 = stablehlo.constant dense<3> : tensor<i32>
    %79 = stablehlo.minimum %77, %78 : tensor<i32>
    %80 = stablehlo.constant dense<0> : tensor<i32>
    %81 = stablehlo.dynamic_slice %8, %79, %80, %80, sizes = [1, 66, 20] : (tensor<4x66x20xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x66x20xf32>
    %82 = stablehlo.reshape %81 : (tensor<1x66x20xf32>) -> tensor<66x20xf32>
    %83 = stablehlo.dot_general %75, %82, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x20xf32>, tensor<66x20xf32>) -> tensor<1x66xf32>
    %84 = stablehlo.constant dense<0> : tensor<i32>
    %85 = stablehlo.dynamic_update_slice %70, %83, %73, %84 : (tensor<6x66xf32>, tensor<1x66xf32>, tensor<i32>, tensor<i32>) -> tensor<6x66xf32>
    %86 = stablehlo.add %69, %65 : tensor<i32>
    stablehlo.return %86, %85 : tensor<i32>, tensor<6x66xf32>
    }
    %87 = stablehlo.reshape %68#1 : (tensor<6x66xf32>) -> tensor<3x2x66xf32>
    %88 = stablehlo.compare GE, %arg2, %12, SIGNED : (tensor<3x2xi32>, tensor<3x2xi32>) -> tensor<3x2xi1>
    %89 = stablehlo.constant dense<0.0> : tensor<f32>
    %90 = stablehlo.broadcast_in_dim %89, dims = [] : (tensor<f32>) -> tensor<3x2xf32>
    %91 = stablehlo.select %88, %arg1, %90 : tensor<3x2xi1>, tensor<3x2xf32>
    %92 = stablehlo.broadcast_in_dim %91, dims = [0, 1] : (tensor<3x2xf32>) -> tensor<3x2x66xf32>
    %93 = stablehlo.multiply %87, %92 : tensor<3x2x66xf32>
    %94 = stablehlo.constant dense<0.0> : tensor<f32>
    %95 = stablehlo.reduce(%93 init: %94) applies stablehlo.add across dimensions = [1] : (tensor<3x2x66xf32>, tensor<f32>) -> tensor<3x66xf32>
    %96 = stablehlo.add %arg3, %95 : tensor<3x66xf32>
    return %96 : tensor<3x66xf32>
  }
}

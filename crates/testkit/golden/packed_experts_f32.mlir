module @packed_experts_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<3x66xf32>, %arg1: tensor<3x2xf32>, %arg2: tensor<3x2xi32>, %arg3: tensor<4x1x66x64xf32>, %arg4: tensor<4x1x66x64xf32>, %arg5: tensor<4x2x20x64xf32>) -> (tensor<3x66xf32>) {
    %0 = stablehlo.transpose %arg3, dims = [0, 1, 3, 2] : (tensor<4x1x66x64xf32>) -> tensor<4x1x64x66xf32>
    %1 = stablehlo.reshape %0 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %2 = stablehlo.slice %1 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %3 = stablehlo.transpose %arg4, dims = [0, 1, 3, 2] : (tensor<4x1x66x64xf32>) -> tensor<4x1x64x66xf32>
    %4 = stablehlo.reshape %3 : (tensor<4x1x64x66xf32>) -> tensor<4x64x66xf32>
    %5 = stablehlo.slice %4 [0:4, 0:20, 0:66] : (tensor<4x64x66xf32>) -> tensor<4x20x66xf32>
    %6 = stablehlo.transpose %arg5, dims = [0, 1, 3, 2] : (tensor<4x2x20x64xf32>) -> tensor<4x2x64x20xf32>
    %7 = stablehlo.reshape %6 : (tensor<4x2x64x20xf32>) -> tensor<4x128x20xf32>
    %8 = stablehlo.slice %7 [0:4, 0:66, 0:20] : (tensor<4x128x20xf32>) -> tensor<4x66x20xf32>
    %9 = stablehlo.broadcast_in_dim %arg0, dims = [0, 2] : (tensor<3x66xf32>) -> tensor<3x2x66xf32>
    %10 = stablehlo.reshape %9 : (tensor<3x2x66xf32>) -> tensor<6x66xf32>
    %11 = stablehlo.reshape %arg2 : (tensor<3x2xi32>) -> tensor<6xi32>
    %12 = stablehlo.constant dense<0> : tensor<i32>
    %13 = stablehlo.constant dense<1> : tensor<i32>
    %14 = stablehlo.constant dense<6> : tensor<i32>
    %15 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %16:2 = stablehlo.while(%17 = %12, %18 = %15) : tensor<i32>, tensor<6x20xf32>
    cond {
      %19 = stablehlo.compare LT, %17, %14, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %19 : tensor<i1>
    } do {
    %20 = stablehlo.constant dense<1> : tensor<i32>
    %21 = stablehlo.multiply %17, %20 : tensor<i32>
    %22 = stablehlo.constant dense<0> : tensor<i32>
    %23 = stablehlo.dynamic_slice %10, %21, %22, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %24 = stablehlo.dynamic_slice %11, %17, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %25 = stablehlo.reshape %24 : (tensor<1xi32>) -> tensor<i32>
    %26 = stablehlo.constant dense<3> : tensor<i32>
    %27 = stablehlo.minimum %25, %26 : tensor<i32>
    %28 = stablehlo.constant dense<0> : tensor<i32>
    %29 = stablehlo.dynamic_slice %2, %27, %28, %28, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %30 = stablehlo.reshape %29 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %31 = stablehlo.dot_general %23, %30, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %32 = stablehlo.constant dense<0> : tensor<i32>
    %33 = stablehlo.dynamic_update_slice %18, %31, %21, %32 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %34 = stablehlo.add %17, %13 : tensor<i32>
    stablehlo.return %34, %33 : tensor<i32>, tensor<6x20xf32>
    }
    %35 = stablehlo.logistic %16#1 : tensor<6x20xf32>
    %36 = stablehlo.multiply %16#1, %35 : tensor<6x20xf32>
    %37 = stablehlo.constant dense<0> : tensor<i32>
    %38 = stablehlo.constant dense<1> : tensor<i32>
    %39 = stablehlo.constant dense<6> : tensor<i32>
    %40 = stablehlo.constant dense<0.0> : tensor<6x20xf32>
    %41:2 = stablehlo.while(%42 = %37, %43 = %40) : tensor<i32>, tensor<6x20xf32>
    cond {
      %44 = stablehlo.compare LT, %42, %39, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %44 : tensor<i1>
    } do {
    %45 = stablehlo.constant dense<1> : tensor<i32>
    %46 = stablehlo.multiply %42, %45 : tensor<i32>
    %47 = stablehlo.constant dense<0> : tensor<i32>
    %48 = stablehlo.dynamic_slice %10, %46, %47, sizes = [1, 66] : (tensor<6x66xf32>, tensor<i32>, tensor<i32>) -> tensor<1x66xf32>
    %49 = stablehlo.dynamic_slice %11, %42, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %50 = stablehlo.reshape %49 : (tensor<1xi32>) -> tensor<i32>
    %51 = stablehlo.constant dense<3> : tensor<i32>
    %52 = stablehlo.minimum %50, %51 : tensor<i32>
    %53 = stablehlo.constant dense<0> : tensor<i32>
    %54 = stablehlo.dynamic_slice %5, %52, %53, %53, sizes = [1, 20, 66] : (tensor<4x20x66xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x20x66xf32>
    %55 = stablehlo.reshape %54 : (tensor<1x20x66xf32>) -> tensor<20x66xf32>
    %56 = stablehlo.dot_general %48, %55, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x66xf32>, tensor<20x66xf32>) -> tensor<1x20xf32>
    %57 = stablehlo.constant dense<0> : tensor<i32>
    %58 = stablehlo.dynamic_update_slice %43, %56, %46, %57 : (tensor<6x20xf32>, tensor<1x20xf32>, tensor<i32>, tensor<i32>) -> tensor<6x20xf32>
    %59 = stablehlo.add %42, %38 : tensor<i32>
    stablehlo.return %59, %58 : tensor<i32>, tensor<6x20xf32>
    }
    %60 = stablehlo.multiply %36, %41#1 : tensor<6x20xf32>
    %61 = stablehlo.constant dense<0> : tensor<i32>
    %62 = stablehlo.constant dense<1> : tensor<i32>
    %63 = stablehlo.constant dense<6> : tensor<i32>
    %64 = stablehlo.constant dense<0.0> : tensor<6x66xf32>
    %65:2 = stablehlo.while(%66 = %61, %67 = %64) : tensor<i32>, tensor<6x66xf32>
    cond {
      %68 = stablehlo.compare LT, %66, %63, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %68 : tensor<i1>
    } do {
    %69 = stablehlo.constant dense<1> : tensor<i32>
    %70 = stablehlo.multiply %66, %69 : tensor<i32>
    %71 = stablehlo.constant dense<0> : tensor<i32>
    %72 = stablehlo.dynamic_slice %60, %70, %71, sizes = [1, 20] : (tensor<6x20xf32>, tensor<i32>, tensor<i32>) -> tensor<1x20xf32>
    %73 = stablehlo.dynamic_slice %11, %66, sizes = [1] : (tensor<6xi32>, tensor<i32>) -> tensor<1xi32>
    %74 = stablehlo.reshape %73 : (tensor<1xi32>) -> tensor<i32>
    %75 = stablehlo.constant dense<3> : tensor<i32>
    %76 = stablehlo.minimum %74, %75 : tensor<i32>
    %77 = stablehlo.constant dense<0> : tensor<i32>
    %78 = stablehlo.dynamic_slice %8, %76, %77, %77, sizes = [1, 66, 20] : (tensor<4x66x20xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x66x20xf32>
    %79 = stablehlo.reshape %78 : (tensor<1x66x20xf32>) -> tensor<66x20xf32>
    %80 = stablehlo.dot_general %72, %79, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<1x20xf32>, tensor<66x20xf32>) -> tensor<1x66xf32>
    %81 = stablehlo.constant dense<0> : tensor<i32>
    %82 = stablehlo.dynamic_update_slice %67, %80, %70, %81 : (tensor<6x66xf32>, tensor<1x66xf32>, tensor<i32>, tensor<i32>) -> tensor<6x66xf32>
    %83 = stablehlo.add %66, %62 : tensor<i32>
    stablehlo.return %83, %82 : tensor<i32>, tensor<6x66xf32>
    }
    %84 = stablehlo.reshape %65#1 : (tensor<6x66xf32>) -> tensor<3x2x66xf32>
    %85 = stablehlo.broadcast_in_dim %arg1, dims = [0, 1] : (tensor<3x2xf32>) -> tensor<3x2x66xf32>
    %86 = stablehlo.multiply %84, %85 : tensor<3x2x66xf32>
    %87 = stablehlo.constant dense<0.0> : tensor<f32>
    %88 = stablehlo.reduce(%86 init: %87) applies stablehlo.add across dimensions = [1] : (tensor<3x2x66xf32>, tensor<f32>) -> tensor<3x66xf32>
    return %88 : tensor<3x66xf32>
  }
}

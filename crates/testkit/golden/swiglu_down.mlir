module @swiglu_down attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<6x19xf32>, %arg1: tensor<6x19xf32>, %arg2: tensor<6xf32>, %arg3: tensor<4x19xf32>, %arg4: tensor<6x4xf32>) -> (tensor<6x4xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<6xf32>, tensor<4x19xf32>) {
    %0 = stablehlo.logistic %arg0 : tensor<6x19xf32>
    %1 = stablehlo.multiply %arg0, %0 : tensor<6x19xf32>
    %2 = stablehlo.multiply %1, %arg1 : tensor<6x19xf32>
    %3 = stablehlo.broadcast_in_dim %arg2, dims = [0] : (tensor<6xf32>) -> tensor<6x19xf32>
    %4 = stablehlo.multiply %2, %3 : tensor<6x19xf32>
    %5 = stablehlo.dot_general %4, %arg3, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<6x19xf32>, tensor<4x19xf32>) -> tensor<6x4xf32>
    %6 = stablehlo.dot_general %arg4, %arg3, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<6x4xf32>, tensor<4x19xf32>) -> tensor<6x19xf32>
    %7 = stablehlo.multiply %6, %3 : tensor<6x19xf32>
    %8 = stablehlo.multiply %7, %arg1 : tensor<6x19xf32>
    %9 = stablehlo.multiply %8, %0 : tensor<6x19xf32>
    %10 = stablehlo.negate %0 : tensor<6x19xf32>
    %11 = stablehlo.constant dense<1.0> : tensor<f32>
    %12 = stablehlo.broadcast_in_dim %11, dims = [] : (tensor<f32>) -> tensor<6x19xf32>
    %13 = stablehlo.add %10, %12 : tensor<6x19xf32>
    %14 = stablehlo.multiply %arg0, %13 : tensor<6x19xf32>
    %15 = stablehlo.add %14, %12 : tensor<6x19xf32>
    %16 = stablehlo.multiply %9, %15 : tensor<6x19xf32>
    %17 = stablehlo.multiply %7, %arg0 : tensor<6x19xf32>
    %18 = stablehlo.multiply %17, %0 : tensor<6x19xf32>
    %19 = stablehlo.multiply %6, %2 : tensor<6x19xf32>
    %20 = stablehlo.constant dense<0.0> : tensor<f32>
    %21 = stablehlo.reduce(%19 init: %20) applies stablehlo.add across dimensions = [1] : (tensor<6x19xf32>, tensor<f32>) -> tensor<6xf32>
    %22 = stablehlo.dot_general %arg4, %4, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<6x4xf32>, tensor<6x19xf32>) -> tensor<4x19xf32>
    return %5, %16, %18, %21, %22 : tensor<6x4xf32>, tensor<6x19xf32>, tensor<6x19xf32>, tensor<6xf32>, tensor<4x19xf32>
  }
}
